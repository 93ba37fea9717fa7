"""Dialect `aws` of the listeners for devices. A package by this file, so that it goes before `aws.py` of the story tests."""
