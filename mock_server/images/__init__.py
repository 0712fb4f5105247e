"""Pictures: results are drawn here, reference images are recognised here."""
