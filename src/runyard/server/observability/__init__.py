"""What operators see of a server: its metrics, its log and its traces."""
