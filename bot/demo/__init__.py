"""The demo company: its documents, its people, and how they are loaded."""
