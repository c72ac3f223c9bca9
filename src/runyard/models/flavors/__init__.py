"""One module a library: how its models are saved, loaded and asked for predictions."""
