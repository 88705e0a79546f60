//! Holds every secret byte, and is the only code that turns keys into ciphertext, signatures or shares.
