ALTER TABLE flows_errors
    DROP COLUMN IF EXISTS `Length`,
    COMMENT COLUMN Message 'The message as it was received'
