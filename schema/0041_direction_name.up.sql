CREATE OR REPLACE FUNCTION directionName AS (flowDirection) -> if(flowDirection = 1, 'out', 'in')
