"""Parts of networks from sensors to cortical regions."""
