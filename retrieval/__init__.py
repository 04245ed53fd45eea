"""Where do the words come from?"""
