-- What lower rooms may ask of Troth's database: views only, each by its role's rights
-- (console/schema.py). Nothing here changes a row.

-- name: installation
-- Which code brought the schema to where it is, and when. For every role.
SELECT version, created, migrated FROM installation

-- name: open_findings
-- Promises seen broken and not yet mended, oldest first, with the leaf of the log that says so.
-- For the worker.
SELECT promise, check_id, vantage, severity, opened, opened_index
FROM open_findings ORDER BY opened_index, vantage
