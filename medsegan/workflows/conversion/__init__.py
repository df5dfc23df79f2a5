"""Parts of `convert`: what it is asked, what a file holds, and where it may write."""
