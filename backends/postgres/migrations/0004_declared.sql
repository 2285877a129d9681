-- The tables of a version as they were declared, as JSON: for tools that don't have its definition.
ALTER TABLE projection_version ADD COLUMN declared text NOT NULL DEFAULT '';
