"""What leads to patients: kept in a folder of its own, and out of all that is said."""
