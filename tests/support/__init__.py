"""What the system tests, the demo and the bench stand on; tests/system/conftest.py tells the vocabulary."""
