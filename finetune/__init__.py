"""How does a model learn this domain?"""
