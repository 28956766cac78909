"""Who may come in: cookies, CSRF, penalties, policy and the flow that joins them."""
