CREATE OR REPLACE FUNCTION macToString AS (mac) -> if(mac = 0, '', MACNumToString(mac))
