"""Parts of classical solvers, from sensors to cortical regions by physics alone."""
