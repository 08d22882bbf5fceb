"""The rules, one module a subject."""

from house import coroutines, direction, faults, secrets, shape, words


def all_rules():
    modules = (shape, direction, coroutines, secrets, words, faults)
    return [rule for module in modules for rule in module.RULES]
