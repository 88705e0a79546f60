"""Opens what Keystead wrote, with nothing of Keystead.

Written from the pages in docs/formats alone, so that those pages are known to suffice: what this
package cannot read is missing there. It only reads; it never writes a vault, a kit or a key.
"""
