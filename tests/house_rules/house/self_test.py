"""Proves that every rule finds the planted violations and nothing else."""

from house.tree import Tree


def plant_tree(plant) -> Tree:
    files = {plant.path: plant.text, **dict(plant.beside)}
    return Tree(files, {plant.path} if plant.executable else set())


def complaints_about(rule) -> list[str]:
    complaints = []
    if not any(plant.lines for plant in rule.plants):
        complaints.append(f"{rule.name}: nothing is planted that it would have to find")
    if not any(not plant.lines for plant in rule.plants):
        complaints.append(f"{rule.name}: nothing is planted that it would have to leave alone")
    for number, plant in enumerate(rule.plants, 1):
        violations = rule.check(plant_tree(plant))
        found = sorted((violation.path, violation.line) for violation in violations)
        wanted = sorted((plant.path, line) for line in plant.lines)
        if found != wanted:
            complaints.append(f"{rule.name}: plant {number}: expected {wanted}, found {found}\n"
                              f"{plant.text}")
    return complaints


def run(rules) -> int:
    complaints = [complaint for rule in rules for complaint in complaints_about(rule)]
    for complaint in complaints:
        print(complaint)
    plants = sum(len(rule.plants) for rule in rules)
    print(f"{len(rules)} rules, {plants} plants, {len(complaints)} complaints")
    return 1 if complaints else 0
