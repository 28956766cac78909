"""Files of the configuration directory that are checked together with the options, before anything is started."""

from rserver_core import notifications, r_versions_file
from rserver_core.profiles import file as profiles_file

CHECKED_FILES = (profiles_file.load, notifications.load, r_versions_file.check)
