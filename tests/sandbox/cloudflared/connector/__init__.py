"""The stand-in connector's parts, and the two protocols it shares with the model of the edge."""
