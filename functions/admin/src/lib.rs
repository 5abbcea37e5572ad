//! Administration: clients and users, for the latchkey command.
