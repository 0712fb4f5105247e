"""Draw result pictures and recognise the format of reference images."""
