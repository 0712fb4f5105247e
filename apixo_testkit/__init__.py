"""The command `apixo-testkit`, which runs the commands of the other packages."""
