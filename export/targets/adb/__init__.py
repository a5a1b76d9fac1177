"""Android phones connected by adb: listing, running tasks in the app, and checking results."""
