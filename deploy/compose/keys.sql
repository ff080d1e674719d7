-- The conversations' keys. No backup should hold them: what a person deletes would come back with it.
CREATE DATABASE smallhours_keys;
