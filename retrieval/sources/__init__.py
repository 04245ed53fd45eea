"""Where documents are fetched from: files, folders, URLs."""
