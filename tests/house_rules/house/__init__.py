"""The rules, one module for each subject."""

from house import coroutines, direction, faults, secrets, shape, told, trust, words


def all_rules():
    modules = (shape, direction, coroutines, secrets, words, faults, told, trust)
    return [rule for module in modules for rule in module.RULES]
