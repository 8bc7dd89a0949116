"""What keeps one installation alive: its folder, its embedded servers, and the supervisor of its processes."""
