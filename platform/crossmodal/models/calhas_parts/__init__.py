"""Parts of the network of Calhas and Henriques."""
