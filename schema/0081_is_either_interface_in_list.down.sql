DROP FUNCTION IF EXISTS isEitherInterfaceInList
