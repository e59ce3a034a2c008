//! Databases asked on threads of their own.
