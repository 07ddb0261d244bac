"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class OneLaneArgon2(Argon2PasswordHasher):
    """
    Argon2id with about as much work as Django's, but one thread and two thirds of the memory.

    Django's eight threads a password, of strangers who guess, kept everybody's ticks waiting.
    """

    time_cost = 3
    memory_cost = 64 * 1024  # KiB
    parallelism = 1
