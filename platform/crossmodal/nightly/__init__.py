"""A night: what it may spend, whether its winner becomes champion, and what is told in the morning."""
