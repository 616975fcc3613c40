"""The console's addresses, all on Troth's own host."""

from django.urls import path

from troth.console.identity import views

urlpatterns = [
    path("account/setup", views.setup),
    path("account/style.css", views.style),
]
