"""A person's ways in beside the keys: a name with a password, and passkeys."""

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.views.decorators.debug import sensitive_variables

from accounts import names
from accounts.errors import UnfitPassword, UnfitUsername, UsernameTaken
from accounts.models import User


def exist(user: User) -> bool:
    """Whether the person can sign in without a key."""
    return has_password(user) or user.passkeys.exists()


def has_password(user: User) -> bool:
    """Whether a name and a password open the door."""
    return user.username is not None and user.has_usable_password()


@sensitive_variables()
def set_password(user: User, *, username: str, new_password: str) -> None:
    """
    Set or change both.

    Raises:
        UnfitUsername, UnfitPassword: with each reason. UsernameTaken: somebody else has the name.
    """
    changed = User.objects.get(pk=user.pk)
    changed.username = User.normalize_username(names.storable(username))
    try:
        # Only the field itself: whether the name is taken is for the database to say.
        changed.clean_fields(exclude={field.name for field in User._meta.fields} - {"username"})
    except ValidationError as error:
        raise UnfitUsername(" ".join(error.messages)) from None
    if not changed.username:
        raise UnfitUsername("The name is empty.")
    password = names.storable(new_password)
    try:
        password_validation.validate_password(password, changed)
    except ValidationError as error:
        raise UnfitPassword(" ".join(error.messages)) from None
    changed.set_password(password)
    try:
        with transaction.atomic():
            changed.save(update_fields=["username", "password"])
    except IntegrityError:
        raise UsernameTaken from None
