DROP FUNCTION IF EXISTS interfaceBoundary
