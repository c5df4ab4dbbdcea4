"""The layout of the state tables: the columns of the mapped fields, and the upgrade from earlier versions."""
