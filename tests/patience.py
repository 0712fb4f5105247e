"""How long tests wait for something that takes milliseconds on an idle machine."""

PATIENCE_S = 60.0
