"""user: profiles and preferences; erasure and export."""
