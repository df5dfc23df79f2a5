"""`verify`: what is looked at in each case, and what is concluded from all of them."""
