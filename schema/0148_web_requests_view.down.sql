DROP VIEW IF EXISTS web_requests_view SYNC
