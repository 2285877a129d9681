-- A schema registry's id for the schema, where there is a registry. Owners of the version before don't name it.
ALTER TABLE schema ADD COLUMN registry_id bigint;
