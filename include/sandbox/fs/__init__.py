"""FS's GraphQL API in both dialects over the synthetic university, written from the FS reference."""
