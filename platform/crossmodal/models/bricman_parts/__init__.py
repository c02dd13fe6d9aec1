"""Parts of the networks of Bricman and Borst."""
