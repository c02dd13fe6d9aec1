"""Signal transforms as torch modules, the same on CPU and GPU."""
