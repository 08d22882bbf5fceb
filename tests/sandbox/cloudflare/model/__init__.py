"""A model of Cloudflare: the API, the edge, the public side, an origin, and knobs for tests."""
