#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys

from django.core.management import ManagementUtility

from config.errors import WrongSetting


class CommandLine(ManagementUtility):
    """Django's, but without settings nothing is done at all."""

    def autocomplete(self) -> None:
        """What Django does right after it has read the settings, or failed to."""
        # Django keeps the error and goes on, in some commands to the end.
        if isinstance(self.settings_exception, WrongSetting):
            raise self.settings_exception
        super().autocomplete()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        CommandLine(sys.argv).execute()
    except WrongSetting as error:
        sys.exit(str(error))
