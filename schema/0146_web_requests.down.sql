DROP TABLE IF EXISTS web_requests
