-- IANA "Differentiated Services Field Codepoints".
CREATE OR REPLACE FUNCTION dscpName AS (tos) -> transform(bitShiftRight(tos, 2),
    [0, 1, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 44, 46, 48, 56],
    ['CS0', 'LE', 'CS1', 'AF11', 'AF12', 'AF13', 'CS2', 'AF21', 'AF22', 'AF23', 'CS3', 'AF31', 'AF32', 'AF33', 'CS4',
     'AF41', 'AF42', 'AF43', 'CS5', 'VOICE-ADMIT', 'EF', 'CS6', 'CS7'],
    toString(bitShiftRight(tos, 2)))
