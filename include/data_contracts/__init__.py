"""What one stage hands the next: versioned, typed, standard library only."""
