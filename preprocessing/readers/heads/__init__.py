"""Where electrodes and landmarks are on a head, whatever axes and units a file states them in."""
